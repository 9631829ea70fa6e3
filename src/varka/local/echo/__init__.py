"""The stand-in for a container: answers who it is, over whatever protocol it is asked in."""
