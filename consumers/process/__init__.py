"""What starts and turns: the topology, the runner, settings, plug-ins."""
