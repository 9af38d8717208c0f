// What all screens share: the language of the page, and sending something until the server has shown that it arrived.

const RESEND_MS = 3000

function settle(language) {
  document.documentElement.lang = language
  // The frame that Streamlit draws would be a stop for the keyboard at which there is nothing to do.
  document.querySelector("main[tabindex]")?.removeAttribute("tabindex")
}

class Sending {
  // `send` gives the value to the server; `onSilence` is called when there was no answer for a while.
  constructor(onSilence) {
    this.send = () => {}
    this.onSilence = onSilence
    this.value = null
  }

  start(value) {
    this.stop()
    this.value = value
    this.send(value)
    this.since = performance.now()
    this.repeat()
  }

  repeat() {
    clearInterval(this.timer)
    if (this.value === null) return
    this.timer = setInterval(() => {
      if (performance.now() - this.since > 2 * RESEND_MS) this.onSilence()
      this.send(this.value)
    }, RESEND_MS)
  }

  pause() { clearInterval(this.timer) }

  stop() {
    this.pause()
    this.value = null
  }
}

// One object a place in the page, whatever number of times Streamlit hands over new data.
const pages = new WeakMap()

function show(component, Page) {
  const { data: [data], parentElement, setTriggerValue } = component
  let page = pages.get(parentElement)
  if (!page) pages.set(parentElement, page = new Page(parentElement))
  settle(data.language)
  // Whatever it shows, the server answered.
  page.sending.since = performance.now()
  page.sending.send = (value) => setTriggerValue(page.trigger, value)
  page.listen()
  page.show(data)
  // Streamlit calls this when the component goes, not before each new screen.
  return () => page.leave()
}
