"""What this machine has: the device that models run on, and the published weights on its disk."""
