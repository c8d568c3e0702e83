"""What bench/compare is made of: one module a thing that is measured, and what they share."""
