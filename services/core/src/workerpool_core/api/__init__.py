"""gRPC servicers and the HTTP side: they translate, authorise and delegate, and decide nothing."""
