"""The search APIs: one file each, and none knows another."""
