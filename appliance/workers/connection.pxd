# Compiled as it is: the event loop wants a class of its own as the base.
