"""`orthanc-share doctor`: what is wrong with a site, and what to change."""
