"""Process 1 of a mesh: runs the pods and reports them to the control plane."""
