"""Documents that the API answers, one module a noun. Times are ISO 8601 in UTC."""
