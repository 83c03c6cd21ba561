"""Plugin for the Orthanc of the demo; runs inside Orthanc, standard library only."""
