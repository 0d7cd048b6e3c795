"""F2, layers that know no task."""
