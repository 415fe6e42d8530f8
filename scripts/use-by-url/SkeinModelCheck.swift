import SkeinModelCheck

let outcome = ModelRun.check(.exhaustive(deviations: 1)) { model in
  let sum = ModelCell(0)
  for name in ["a", "b"] { model.thread(name) { sum.value += 1 } }
}
precondition(outcome.failure != nil)
