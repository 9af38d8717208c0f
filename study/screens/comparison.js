// Two images, one answer. The answer is sent until the server shows that it has it; the server decides what counts.

const RESEND_MS = 3000
const SLOW_MS = 900
const KEYS = { ArrowLeft: "left", f: "left", F: "left", ArrowRight: "right", j: "right", J: "right" }

const pages = new WeakMap()

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  let page = pages.get(parentElement)
  if (!page) {
    page = new Page(parentElement)
    pages.set(parentElement, page)
  }
  page.send = (answer) => setTriggerValue("answer", answer)
  page.listen()
  page.show(data)
  // Streamlit calls this when the component goes, not before each new trial.
  return () => page.leave()
}

class Page {
  constructor(root) {
    this.root = root
    this.images = new Map()
    this.token = null
    this.forget()
    this.onClick = (event) => this.click(event)
    this.onKey = (event) => this.key(event)
    this.onBlur = () => { if (this.paintedAt !== null) this.blurs += 1 }
    this.onHidden = () => { if (document.hidden) this.onBlur() }
  }

  find(selector) { return this.root.querySelector(selector) }

  listen() {
    this.leave()
    this.left = false
    for (const side of this.root.querySelectorAll(".side")) side.addEventListener("click", this.onClick)
    window.addEventListener("keydown", this.onKey, true)
    window.addEventListener("blur", this.onBlur)
    document.addEventListener("visibilitychange", this.onHidden)
    if (this.answer) this.keepSending()
  }

  leave() {
    this.left = true
    clearInterval(this.sending)
    for (const side of this.root.querySelectorAll(".side")) side.removeEventListener("click", this.onClick)
    window.removeEventListener("keydown", this.onKey, true)
    window.removeEventListener("blur", this.onBlur)
    document.removeEventListener("visibilitychange", this.onHidden)
  }

  forget() {
    clearInterval(this.sending)
    this.answer = null
    this.paintedAt = null
    this.blurs = 0
    this.ignored = 0
  }

  // --- Showing ---

  async show(data) {
    if (data.token === this.token) {
      if (data.again && this.answer) this.reopen()
      return
    }
    this.token = data.token
    this.forget()
    const slow = setTimeout(() => this.say("Loading the images …"), SLOW_MS)
    const images = await Promise.all([this.load(data.left, data.token), this.load(data.right, data.token)])
    clearTimeout(slow)
    if (this.left || this.token !== data.token) return
    this.paint(data, images)
    this.say("")
    this.keepOnly([data.left, data.right, ...data.preload])
    for (const address of data.preload) this.fetch(address).catch(() => this.images.delete(address))
  }

  // Words and images change in one frame, so that no question ever stands over another pair.
  paint(data, images) {
    const page = this.find(".page")
    page.style.setProperty("--shape", String(data.width / data.height))
    page.classList.toggle("practice", data.practice)
    page.classList.remove("answered")
    this.find("h1").textContent = data.question
    this.find(".prompt").textContent = data.prompt
    this.find(".note").textContent = data.note
    this.find(".progress").textContent = `${data.practice ? "Practice " : ""}${data.done + 1} of ${data.total}`
    this.find(".bar").style.width = `${(100 * data.done) / data.total}%`
    this.root.querySelectorAll(".side").forEach((side, index) => {
      side.classList.remove("chosen")
      images[index].alt = ""
      images[index].draggable = false
      side.querySelector(".frame").replaceChildren(images[index])
    })
    this.minMs = data.min_ms
    page.hidden = false
    // A focus left on one side would look like a suggestion.
    page.focus({ preventScroll: true })
    // The first of two frames is the one in which the images appear; when the second begins, they are on the screen.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      if (this.token !== data.token) return
      this.paintedAt = performance.now()
      page.classList.add("open")
    }))
  }

  reopen() {
    this.forget()
    this.find(".page").classList.remove("answered")
    for (const side of this.root.querySelectorAll(".side")) side.classList.remove("chosen")
    this.say("That was not stored. Please look at both images, then choose again.")
    this.paintedAt = performance.now()
  }

  async load(address, token) {
    for (;;) {
      try {
        return await this.fetch(address)
      } catch {
        this.images.delete(address)
        if (this.left || this.token !== token) return null
        this.say("The images do not load. Trying again …")
        await new Promise((resolve) => setTimeout(resolve, RESEND_MS))
      }
    }
  }

  fetch(address) {
    if (!this.images.has(address)) {
      const image = new Image()
      image.src = address
      this.images.set(address, image.decode().then(() => image))
    }
    return this.images.get(address)
  }

  keepOnly(addresses) {
    for (const address of this.images.keys()) if (!addresses.includes(address)) this.images.delete(address)
  }

  say(text) { this.find(".status").textContent = text }

  // --- Answering ---

  click(event) {
    // The second click of a double click was meant for the first pair. A key on a focused button clicks with detail 0.
    if (event.detail > 1) this.ignored += 1
    else this.choose(event.currentTarget.dataset.choice, event.detail === 0 ? "keyboard" : event.pointerType || "mouse")
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return
    const choice = KEYS[event.key]
    const presses = event.key === "Enter" || event.key === " "
    if (!choice && !presses) return
    if (event.repeat) {
      event.preventDefault()
      this.ignored += 1
    } else if (choice) {
      event.preventDefault()
      this.choose(choice, "keyboard")
    }
  }

  choose(choice, device) {
    const response = performance.now() - this.paintedAt
    if (this.answer || this.paintedAt === null || response < this.minMs) {
      this.ignored += 1
      return
    }
    this.answer = {
      token: this.token,
      choice,
      device,
      response_ms: Math.round(response * 10) / 10,
      blurs: this.blurs,
      ignored: this.ignored,
      viewport: `${window.innerWidth}x${window.innerHeight}`,
    }
    this.say("")
    this.find(".page").classList.remove("open")
    this.find(".page").classList.add("answered")
    this.find(`.side[data-choice="${choice}"]`).classList.add("chosen")
    this.send(this.answer)
    this.keepSending()
  }

  keepSending() {
    const since = performance.now()
    clearInterval(this.sending)
    this.sending = setInterval(() => {
      if (performance.now() - since > 2 * RESEND_MS) this.say("No connection. Your answer is kept and sent again …")
      this.send(this.answer)
    }, RESEND_MS)
  }
}
