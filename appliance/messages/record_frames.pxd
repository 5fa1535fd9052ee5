# Each turn that changes registrations asks it, and a turn may be one message.
cpdef bytes frame(bytes record)
