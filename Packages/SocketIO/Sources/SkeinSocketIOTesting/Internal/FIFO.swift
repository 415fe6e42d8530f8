// FIFO: a queue in an array whose taken front is given back now and then, so that taking is O(1) amortised.

struct FIFO<Element> {
  private var elements: [Element] = []
  private var head = 0

  var count: Int { elements.count - head }
  var isEmpty: Bool { count == 0 }

  var first: Element? {
    get { isEmpty ? nil : elements[head] }
    set {
      guard let newValue, !isEmpty else { return }
      elements[head] = newValue
    }
  }

  mutating func append(_ element: Element) { elements.append(element) }
  mutating func append(contentsOf others: some Sequence<Element>) { elements.append(contentsOf: others) }

  /// Takes the first `count` elements.
  mutating func take(_ count: Int) -> [Element] {
    precondition(count <= self.count, "more was taken than there is")
    let taken = Array(elements[head..<head + count])
    drop(count)
    return taken
  }

  mutating func removeFirst() {
    precondition(!isEmpty, "nothing is there to remove")
    drop(1)
  }

  private mutating func drop(_ count: Int) {
    head += count
    if head > 64 && head * 2 > elements.count {
      elements.removeFirst(head)
      head = 0
    }
  }

  mutating func removeAll() {
    elements.removeAll()
    head = 0
  }
}
