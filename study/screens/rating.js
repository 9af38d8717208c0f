// One image, one point on a line from bad (1) to excellent (5). The line shows no point before it is touched.

const LOWEST = 1
const HIGHEST = 5
const STEP = 0.05
const MOVES = { ArrowRight: STEP, ArrowUp: STEP, ArrowLeft: -STEP, ArrowDown: -STEP, PageUp: 0.5, PageDown: -0.5 }
const PLACES = { Home: LOWEST, End: HIGHEST, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5 }

class Rating extends Trial {
  constructor(root) {
    super(root)
    this.onPointer = (event) => this.point(event)
    this.onGo = (event) => this.go(event)
  }

  listen() {
    super.listen()
    for (const kind of ["pointerdown", "pointermove"]) this.find(".slider").addEventListener(kind, this.onPointer)
    this.find(".go").addEventListener("click", this.onGo)
  }

  leave() {
    super.leave()
    for (const kind of ["pointerdown", "pointermove"]) this.find(".slider").removeEventListener(kind, this.onPointer)
    this.find(".go").removeEventListener("click", this.onGo)
  }

  paint(data) {
    this.find(".frame").setAttribute("aria-label", this.words.rating_image)
    this.all(".anchors span").forEach((anchor, index) => { anchor.textContent = data.anchors[index] })
    this.anchors = data.anchors
    this.find(".go").textContent = this.words.continue
    this.find(".hint .by-keys").textContent = this.words.rating_hint_keys
    this.find(".hint .by-touch").textContent = this.words.rating_hint_touch
    this.set(null)
    this.find(".slider").focus({ preventScroll: true })
  }

  undo() { this.find(".go").disabled = this.value === null }

  set(value, device) {
    const slider = this.find(".slider")
    this.value = value === null ? null : Math.min(HIGHEST, Math.max(LOWEST, value))
    this.device = device
    const untouched = this.value === null
    slider.classList.toggle("untouched", untouched)
    this.find(".hint").classList.toggle("done", !untouched)
    this.find(".go").disabled = untouched
    // A slider must have a number; before it is touched, the words say that there is none.
    slider.setAttribute("aria-valuenow", untouched ? 3 : this.value.toFixed(2))
    slider.setAttribute("aria-valuetext", untouched ? this.words.rating_unset : this.spoken())
    slider.style.setProperty("--at", untouched ? 0.5 : (this.value - LOWEST) / (HIGHEST - LOWEST))
  }

  spoken() {
    const value = this.value.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 2 })
    const anchor = this.anchors[Math.round(this.value) - LOWEST]
    return this.words.rating_spoken.replace("{value}", value).replace("{anchor}", anchor)
  }

  isOpen() { return this.paintedAt !== null && !this.sending.value }

  point(event) {
    const slider = event.currentTarget
    if (event.type === "pointerdown") {
      if (event.button !== 0) return
      if (!this.isOpen()) { this.ignored += 1; return }
      slider.setPointerCapture(event.pointerId)
    } else if (!slider.hasPointerCapture(event.pointerId)) return
    if (!this.isOpen()) return
    const rail = this.find(".rail").getBoundingClientRect()
    this.set(LOWEST + (HIGHEST - LOWEST) * (event.clientX - rail.left) / rail.width, event.pointerType || "mouse")
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return
    const onButton = event.composedPath()[0] === this.find(".go")
    const moves = event.key in MOVES || event.key in PLACES
    const goes = event.key === "Enter" || (event.key === " " && onButton)
    if (!moves && !goes) return
    event.preventDefault()
    // Held down, Enter comes to the next image too, where nothing is set yet.
    if (goes) this.finish()
    else if (!this.isOpen()) this.ignored += 1
    else if (event.key in PLACES) this.set(PLACES[event.key], "keyboard")
    // The first press of an arrow brings the point to the middle, from where it moves.
    else this.set(this.value === null ? (LOWEST + HIGHEST) / 2 : this.value + MOVES[event.key], "keyboard")
  }

  go(event) {
    if (event.detail > 1) this.ignored += 1
    else this.finish()
  }

  finish() {
    if (this.value === null) this.ignored += 1
    else if (this.answer({ rating: Math.round(this.value * 1e4) / 1e4, device: this.device })) this.find(".go").disabled = true
  }
}

export default (component) => show(component, Rating)
