"""What goes out to other servers: HTTP, MedDream, e-mail."""
