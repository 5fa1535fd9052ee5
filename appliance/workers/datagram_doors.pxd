# Compiled as it is: each turn asks it, and a turn may be one message.
