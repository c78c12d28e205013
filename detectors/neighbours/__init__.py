"""How alike the training data a query is: its nearest training examples, and how seldom known queries are as far from theirs."""
