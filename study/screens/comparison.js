// Two images, one answer.

const BESIDE = { ArrowLeft: "left", f: "left", ArrowRight: "right", j: "right", ArrowDown: "tie", t: "tie" }
const STACKED = { ArrowUp: "left", f: "left", ArrowDown: "right", j: "right", t: "tie" }
// Stacked must be worth it: side by side is what people know, and what stays when both are about as large.
const WORTH_IT = 1.1

class Comparison extends Trial {
  constructor(root) {
    super(root)
    this.onClick = (event) => this.click(event)
    this.resized = new ResizeObserver(() => this.arrange())
  }

  listen() {
    super.listen()
    for (const button of this.all("button")) button.addEventListener("click", this.onClick)
    this.resized.observe(this.find(".stage"))
  }

  leave() {
    super.leave()
    for (const button of this.all("button")) button.removeEventListener("click", this.onClick)
    this.resized.disconnect()
  }

  paint(data) {
    this.prompts = [data.prompt, data.prompt_stacked]
    this.find(".tie").hidden = !data.tie
    this.find(".page").classList.toggle("with-tie", data.tie)
    this.tie = data.tie
    // Words that tell what to do are not as quiet as a description.
    this.find(".prompt").classList.toggle("told", data.told)
    this.undo()
    this.arrange()
    // A focus left on one side would look like a suggestion.
    this.find(".page").focus({ preventScroll: true })
  }

  // Side by side or one above the other: whichever shows two equal images larger. The words for the sides follow.
  arrange() {
    if (!this.prompts) return
    const [beside, stacked] = [false, true].map((way) => this.frameWidth(way))
    this.stacked = stacked > WORTH_IT * beside
    this.find(".page").classList.toggle("stacked", this.stacked)
    const sides = this.stacked ? ["upper", "lower"] : ["left", "right"]
    const keys = this.stacked ? ["↑", "↓"] : ["←", "→"]
    this.all(".side").forEach((side, index) => {
      side.setAttribute("aria-label", this.words[`${sides[index]}_image`])
      side.querySelector(".name").textContent = this.words[sides[index]]
      side.querySelector("kbd").textContent = keys[index]
    })
    this.find(".tie .name").textContent = this.words.tie
    this.find(".tie kbd").textContent = this.stacked ? "t" : "↓"
    this.find(".prompt").textContent = this.prompts[Number(this.stacked)]
  }

  frameWidth(stacked) {
    this.find(".page").classList.toggle("stacked", stacked)
    return this.find(".frame").offsetWidth
  }

  undo() {
    for (const button of this.all("button")) button.classList.remove("chosen")
  }

  click(event) {
    // The second click of a double click was meant for the first pair. A key on a focused button clicks with detail 0.
    if (event.detail > 1) this.ignored += 1
    else this.choose(event.currentTarget.dataset.choice, event.detail === 0 ? "keyboard" : event.pointerType || "mouse")
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return
    const choice = (this.stacked ? STACKED : BESIDE)[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    const chooses = choice && (choice !== "tie" || this.tie)
    if (!chooses && event.key !== "Enter" && event.key !== " ") return
    if (event.repeat) {
      event.preventDefault()
      this.ignored += 1
    } else if (chooses) {
      event.preventDefault()
      this.choose(choice, "keyboard")
    }
  }

  choose(choice, device) {
    if (this.answer({ choice, device })) this.find(`button[data-choice="${choice}"]`).classList.add("chosen")
  }
}

export default (component) => show(component, Comparison)
