"""A corpus of DICOM files that try to carry a patient's identity through."""
