// A page to read, with its buttons. A press is sent until the server shows the next page.

class Reading {
  constructor(root) {
    this.root = root
    this.trigger = "go"
    this.screen = null
    this.sending = new Sending(() => this.say(this.words.no_connection))
    this.onClick = (event) => this.click(event)
    this.onCopy = () => this.copy()
  }

  find(selector) { return this.root.querySelector(selector) }

  say(text) { this.find(".status").textContent = text }

  listen() {
    this.leave()
    this.find(".buttons").addEventListener("click", this.onClick)
    this.find(".copy").addEventListener("click", this.onCopy)
    this.sending.repeat()
    if (this.pollMs) this.polling = setInterval(() => this.sending.send({ screen: this.screen, button: "look", at: Date.now() }), this.pollMs)
    if (this.returnTo) this.returning = setTimeout(() => location.assign(this.returnTo), this.returnMs)
  }

  leave() {
    this.find(".buttons").removeEventListener("click", this.onClick)
    this.find(".copy").removeEventListener("click", this.onCopy)
    this.sending.pause()
    clearInterval(this.polling)
    clearTimeout(this.returning)
  }

  show(data) {
    this.words = data.words
    if (data.screen === this.screen) {
      if (data.trouble && this.sending.value) this.say(this.words.unavailable)
      return
    }
    this.screen = data.screen
    this.sending.stop()
    this.say("")
    this.find("h1").textContent = data.title
    this.find(".text").replaceChildren(...data.paragraphs.map(({ text, shown }) => {
      const paragraph = document.createElement("p")
      paragraph.textContent = text
      if (shown) paragraph.className = shown
      return paragraph
    }))
    this.find(".picture").hidden = !data.picture
    this.find(".picture").className = `picture ${data.picture}`
    this.find(".buttons").replaceChildren(...data.buttons.map(({ name, text }, index) => {
      const button = document.createElement("button")
      Object.assign(button, { type: "button", className: index ? "go quiet" : "go", textContent: text })
      button.dataset.name = name
      return button
    }))
    this.showEnd(data)
    this.pollMs = data.poll_ms
    this.listen()
    // Who listens to the page, or moves by keys, begins at its top.
    this.find("h1").focus({ preventScroll: true })
    window.scrollTo(0, 0)
  }

  showEnd(data) {
    this.find(".code").hidden = !data.code
    this.find(".code-label").textContent = this.words.code_label ?? ""
    this.find(".value").textContent = data.code
    this.find(".copy").textContent = this.words.copy ?? ""
    const back = this.find(".back")
    back.hidden = !data.back
    this.returnTo = data.back
    if (!data.back) return
    back.querySelector("span").textContent = this.words.return_soon
    Object.assign(back.querySelector("a"), { href: data.back, textContent: this.words.return_now })
    this.returnMs = data.return_ms
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.find(".value").textContent)
      this.say(this.words.copied)
    } catch {
      this.say(this.words.copy_failed)
    }
  }

  click(event) {
    const name = event.target.dataset.name
    if (!name || this.sending.value) return
    for (const button of this.root.querySelectorAll(".buttons .go")) button.disabled = true
    this.sending.start({ screen: this.screen, button: name })
  }
}

export default (component) => show(component, Reading)
