// The code of prediction. It is loaded when a room is asked to predict, so that other programs do not load it.

export { Predictor } from "./predictor.js";
export { Rollback } from "./rollback.js";
export { loadRules, RulesModule, rulesOf } from "./rules_module.js";
