"""gRPC servicers and HTTP routes: they translate, authorise and delegate, and decide nothing."""
