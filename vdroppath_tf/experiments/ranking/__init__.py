"""Does a template's ranking hold? Its scores against stand-alone trainings of the strategies."""
