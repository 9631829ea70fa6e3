"""The pytest plugin that users import; the product never does. Not written yet."""
