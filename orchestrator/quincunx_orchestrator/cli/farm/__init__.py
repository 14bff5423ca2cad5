"""The commands that need a farm, or look after one."""
