//! The rules of My game as a module for browsers, which run the predicted systems in it.

tickcast::predictor!(my_game::Rules);
