"""What is wrong with well-formed objects, found when they meet each other and the proxies. Reads
states and views; talks to nobody."""
