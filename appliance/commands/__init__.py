"""The subcommands of `signalbox`."""
