"""Browsers that write and read on two processes with a replica that lags and dies: none sees the past of its writes."""
