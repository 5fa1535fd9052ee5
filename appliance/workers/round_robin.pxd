# Compiled as it is: an extension type cannot be generic.
