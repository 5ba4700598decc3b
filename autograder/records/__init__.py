"""What is kept of a grading: results, timings, pages for people, exports for other programs."""
