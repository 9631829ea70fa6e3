"""The command line: one module per verb. A verb parses, calls, prints and chooses the exit code;
logic lives below."""
