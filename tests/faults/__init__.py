"""Random trading days with everything going wrong, judged by the broker's own books."""
