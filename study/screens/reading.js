// A page to read, and at most one button. The click is sent until the server shows the next page.

const RESEND_MS = 3000
const waiting = new WeakMap()

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const find = (selector) => parentElement.querySelector(selector)
  const button = find(".go")

  const before = waiting.get(parentElement)
  if (before) {
    button.removeEventListener("click", before.onClick)
    if (before.screen !== data.screen) clearInterval(before.sending)
  }
  const state = { screen: data.screen, sending: before?.screen === data.screen ? before.sending : null }
  state.onClick = () => {
    button.disabled = true
    setTriggerValue("go", data.screen)
    clearInterval(state.sending)
    state.sending = setInterval(() => {
      find(".status").textContent = "No connection yet. Trying again …"
      setTriggerValue("go", data.screen)
    }, RESEND_MS)
  }
  waiting.set(parentElement, state)

  if (before?.screen !== data.screen) find(".status").textContent = ""
  find("h1").textContent = data.title
  find(".picture").hidden = !data.picture
  find(".text").replaceChildren(...data.paragraphs.map((text) => {
    const paragraph = document.createElement("p")
    paragraph.textContent = text
    return paragraph
  }))
  button.hidden = !data.button
  button.textContent = data.button ?? ""
  if (before?.screen !== data.screen) button.disabled = false
  button.addEventListener("click", state.onClick)

  return () => clearInterval(waiting.get(parentElement)?.sending)
}
