"""Where a link ends: the friendly pages, and the way to the viewer."""
