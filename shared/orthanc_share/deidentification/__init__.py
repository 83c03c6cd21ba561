"""De-identification after DICOM PS3.15, free of HTTP."""
