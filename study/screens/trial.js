// What a comparison and a rating share. Images are decoded before they show, the clock starts when they are on the screen, the
// next ones load meanwhile, and the answer is sent until the server shows that it has it; the server decides what counts.

const SLOW_MS = 900

class Trial {
  constructor(root) {
    this.root = root
    this.trigger = "answer"
    this.sending = new Sending(() => this.say(this.words.no_connection))
    this.images = new Map()
    this.token = null
    this.forget()
    this.onKey = (event) => this.key(event)
    this.onBlur = () => { if (this.paintedAt !== null) this.blurs += 1 }
    this.onHidden = () => { if (document.hidden) this.onBlur() }
  }

  find(selector) { return this.root.querySelector(selector) }

  all(selector) { return [...this.root.querySelectorAll(selector)] }

  listen() {
    this.leave()
    this.left = false
    window.addEventListener("keydown", this.onKey, true)
    window.addEventListener("blur", this.onBlur)
    document.addEventListener("visibilitychange", this.onHidden)
    this.sending.repeat()
  }

  leave() {
    this.left = true
    this.sending.pause()
    window.removeEventListener("keydown", this.onKey, true)
    window.removeEventListener("blur", this.onBlur)
    document.removeEventListener("visibilitychange", this.onHidden)
  }

  forget() {
    this.sending.stop()
    this.paintedAt = null
    this.blurs = 0
    this.ignored = 0
  }

  async show(data) {
    if (data.token === this.token) {
      if (data.trouble && this.sending.value) this.say(this.words.unavailable)
      else if (data.again && this.sending.value) this.reopen()
      return
    }
    this.token = data.token
    this.words = data.words
    this.forget()
    const slow = setTimeout(() => this.say(this.words.loading), SLOW_MS)
    const images = await Promise.all(data.images.map((address) => this.load(address, data.token)))
    clearTimeout(slow)
    if (this.left || this.token !== data.token) return
    this.open(data, images)
    this.say("")
    this.keepOnly([...data.images, ...data.preload])
    for (const address of data.preload) this.fetch(address).catch(() => this.images.delete(address))
  }

  // Words and images change in one frame, so that no question ever stands over another image.
  open(data, images) {
    const page = this.find(".page")
    page.style.setProperty("--shape", String(data.width / data.height))
    page.classList.toggle("practice", data.practice)
    page.classList.remove("answered")
    this.find("h1").textContent = data.question
    this.find(".prompt").textContent = data.prompt
    this.find(".note").textContent = data.note
    this.find(".progress").textContent = data.progress
    this.find(".bar").style.width = `${100 * data.share}%`
    this.minMs = data.min_ms
    for (const image of images) Object.assign(image, { alt: "", draggable: false })
    this.all(".frame").forEach((frame, index) => frame.replaceChildren(images[index]))
    page.hidden = false
    this.paint(data)
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
    this.undo()
    this.say(this.words.not_stored)
    this.paintedAt = performance.now()
    this.find(".page").classList.add("open")
  }

  async load(address, token) {
    for (;;) {
      try {
        return await this.fetch(address)
      } catch {
        this.images.delete(address)
        if (this.left || this.token !== token) return null
        this.say(this.words.loading_again)
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

  // Returns whether the answer was taken: once a trial, and not before a person can have seen the image.
  answer(fields) {
    const response = performance.now() - this.paintedAt
    if (this.sending.value || this.paintedAt === null || response < this.minMs) {
      this.ignored += 1
      return false
    }
    this.say("")
    this.find(".page").classList.remove("open")
    this.find(".page").classList.add("answered")
    this.sending.start({
      token: this.token,
      ...fields,
      response_ms: Math.round(response * 10) / 10,
      blurs: this.blurs,
      ignored: this.ignored,
      viewport: `${window.innerWidth}x${window.innerHeight}`,
    })
    return true
  }
}
