"""What every role is built on: the contract of a consumer, the folding consumer, the last net; settings, plug-ins."""
