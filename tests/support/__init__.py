"""What the tests share: helpers, fixtures, servers, browsers, and the views of their sites."""
