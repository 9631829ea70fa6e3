"""One request walked through the very resources that Envoy gets. Decides no match a second time.
Not written yet."""
