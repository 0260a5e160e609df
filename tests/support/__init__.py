"""What several test folders use: real servers and a real browser."""
