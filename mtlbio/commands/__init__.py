"""What is done on request only, and no step of the workflow: these commands may use every room and write folders of
their own."""
