// One question beside the images, as the form control that fits it. The reply is sent until the server shows the next page.

const made = (tag, fields = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), fields)
  node.append(...children)
  return node
}

class Asking {
  constructor(root) {
    this.root = root
    this.trigger = "reply"
    this.screen = null
    this.sending = new Sending(() => this.say(this.words.no_connection))
    this.onSubmit = (event) => { event.preventDefault(); this.reply() }
    this.onSkip = () => this.start("")
  }

  find(selector) { return this.root.querySelector(selector) }

  say(text) { this.find(".status").textContent = text }

  listen() {
    this.leave()
    this.find("form").addEventListener("submit", this.onSubmit)
    this.find(".skip").addEventListener("click", this.onSkip)
    this.sending.repeat()
  }

  leave() {
    this.find("form").removeEventListener("submit", this.onSubmit)
    this.find(".skip").removeEventListener("click", this.onSkip)
    this.sending.pause()
  }

  show(data) {
    this.words = data.words
    this.data = data
    if (data.screen === this.screen) {
      if (data.trouble && this.sending.value) this.say(this.words.unavailable)
      // Refused: the words stay, and the person can mend them.
      if (data.refused && this.sending.value?.attempt === data.refused) this.complain(this.words.not_accepted)
      return
    }
    this.screen = data.screen
    this.sending.stop()
    this.say("")
    this.find(".field").replaceChildren(data.options.length ? this.choices(data) : this.writing(data))
    this.find(".error").textContent = ""
    this.find(".note").textContent = data.progress
    this.find(".next").textContent = this.words.continue
    this.find(".skip").textContent = this.words.skip
    this.find(".skip").hidden = data.required
    this.enable(true)
    this.find("h1").focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }

  heading(data) {
    const heading = made("h1", { tabIndex: -1, textContent: data.text })
    if (!data.required) heading.append(made("span", { className: "optional", textContent: `(${this.words.optional})` }))
    return heading
  }

  choices(data) {
    const scale = data.ends.length > 0
    const radio = (value) => made("input", { type: "radio", name: "reply", value })
    const options = data.options.map((option, index) => {
      const label = made("label", { className: scale ? "point" : "option" }, radio(option), made("span", { textContent: option }))
      // The ends of a scale belong to its outermost points.
      const end = scale && { 0: data.ends[0], [data.options.length - 1]: data.ends[1] }[index]
      if (end) label.querySelector("input").setAttribute("aria-label", `${option}, ${end}`)
      return label
    })
    const group = made("fieldset", {}, made("legend", {}, this.heading(data)))
    group.setAttribute("role", "radiogroup")
    group.setAttribute("aria-required", String(data.required))
    group.setAttribute("aria-describedby", "error")
    if (!scale) group.append(...options)
    else {
      const ends = made("p", { className: "ends" }, ...data.ends.map((textContent) => made("span", { textContent })))
      ends.setAttribute("aria-hidden", "true")
      group.append(made("div", { className: "points" }, ...options), ends)
    }
    return group
  }

  writing(data) {
    const field = data.type === "number"
      ? made("input", { type: "text", inputMode: "decimal", autocomplete: "off" })
      : made("textarea", { rows: 4, maxLength: data.longest })
    Object.assign(field, { id: "reply", className: "written", required: data.required })
    field.setAttribute("aria-describedby", "error")
    return made("div", {}, made("label", { htmlFor: "reply" }, this.heading(data)), field)
  }

  value() {
    const field = this.find("input:checked, .written")
    return field ? field.value.trim() : ""
  }

  // Says what is wrong with the reply, "" where nothing is.
  mistake(value) {
    if (!value) return this.data.required ? this.data.missing : ""
    if (this.data.type !== "number") return ""
    const number = Number(value.replace(",", "."))
    const { least, most } = this.data
    const within = Number.isFinite(number) && (least === null || number >= least) && (most === null || number <= most)
    return within ? "" : this.data.missing
  }

  reply() {
    if (this.sending.value) return
    const value = this.value()
    const mistake = this.mistake(value)
    if (mistake) this.complain(mistake)
    else this.start(this.data.type === "number" ? value.replace(",", ".") : value)
  }

  start(value) {
    if (this.sending.value) return
    this.find(".error").textContent = ""
    this.mark(false)
    this.enable(false)
    this.attempts = (this.attempts ?? 0) + 1
    this.sending.start({ screen: this.screen, value, attempt: this.attempts })
  }

  complain(text) {
    this.sending.stop()
    this.enable(true)
    this.find(".error").textContent = text
    this.mark(true)
    this.find("input:checked, .written, input")?.focus()
  }

  mark(invalid) {
    const field = this.find("fieldset") ?? this.find(".written")
    field.setAttribute("aria-invalid", String(invalid))
  }

  enable(on) { for (const button of this.root.querySelectorAll(".go")) button.disabled = !on }
}

export default (component) => show(component, Asking)
