"""A class on phones: a second, small server for the students, and the teacher's stage in the studio."""
