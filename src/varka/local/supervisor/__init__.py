"""The process that a mesh hangs on, how it is started and looked up."""
