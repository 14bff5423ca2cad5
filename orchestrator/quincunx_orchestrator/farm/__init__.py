"""The farm as the orchestrator sees it: jobs, coordinators, and the clients that submit to them."""
