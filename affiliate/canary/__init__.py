"""The canary: a test order that walks the whole way every hour, so that an operator hears of a break before a shop does."""
