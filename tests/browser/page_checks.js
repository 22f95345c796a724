// Checks that run in the page; each gives a list of sentences.

var nameOf = (element) => {
  const own = element.localName + (element.id ? `#${element.id}` : '') + (element.className?.baseVal === undefined && element.className ? `.${element.className.trim().replace(/\s+/g, '.')}` : '')
  return `${own} “${(element.innerText ?? element.value ?? '').trim().slice(0, 40)}”`
}

/** What reaches beyond the window and cannot be scrolled in a place of its own. */
var tooWide = () => {
  const root = document.documentElement
  if (root.scrollWidth <= root.clientWidth && document.body.scrollWidth <= root.clientWidth) return []
  const isInside = (element) => {
    for (let each = element.parentElement; each && each !== document.body; each = each.parentElement) {
      if (getComputedStyle(each).overflowX !== 'visible') return true
    }
    return false
  }
  const wide = [...document.body.querySelectorAll('*')].filter((element) => {
    const place = element.getBoundingClientRect()
    return place.width > 0 && (place.right > root.clientWidth + 1 || place.left < -1) && !isInside(element)
  })
  const inner = wide.filter((element) => !wide.some((other) => other !== element && element.contains(other)))
  return [`${root.scrollWidth} of ${root.clientWidth} px: ${inner.slice(0, 3).map(nameOf).join('; ') || '?'}`]
}

var startTabbing = () => {
  window.tabbed = new Set()
  document.activeElement?.blur()
}

var placeOf = (element) => {
  const place = element.getBoundingClientRect()
  const label = element.labels?.[0]
  const isHidden = place.width < 4 || place.height < 4 || getComputedStyle(element).opacity === '0'
  return isHidden && label ? label : element
}

var isUncovered = (element) => {
  const box = element.getBoundingClientRect()
  const inset = (from, to) => [from + 3, (from + to) / 2, to - 3]
  return inset(box.left, box.right).some((x) =>
    inset(box.top, box.bottom).some((y) => {
      if (x < 0 || y < 0 || x >= innerWidth || y >= innerHeight) return false
      const found = document.elementFromPoint(x, y)
      return found !== null && (element.contains(found) || found.contains(element) && found.closest('label, a, button, summary, li, tr') !== null)
    }),
  )
}

var isMarked = (element) => {
  const near = [element, ...(element.labels ?? []), element.parentElement, element.parentElement?.parentElement]
  const isOutlined = (style) =>
    style.outlineStyle !== 'none' &&
    Number.parseFloat(style.outlineWidth) >= 2 &&
    !/, 0\)$|transparent/.test(style.outlineColor)
  return near
    .filter(Boolean)
    .some((each) => [null, '::before', '::after'].some((part) => isOutlined(getComputedStyle(each, part))))
}

/** The problem of the element that has the focus, and whether the walk has come round. */
var focusProblem = () => {
  const element = document.activeElement
  if (!element || element === document.body || element === document.documentElement) return ['', window.tabbed.size > 0]
  // A date has several places in one element; it is looked at once.
  const isLast = window.tabbed.has(element) && window.lastTabbed !== element
  if (isLast) return ['', true]
  const isAgain = window.lastTabbed === element
  window.lastTabbed = element
  window.tabbed.add(element)
  if (isAgain) return ['', false]
  const shown = placeOf(element)
  if (!isUncovered(shown)) return [`cannot be seen while it has the focus: ${nameOf(element)}`, false]
  if (!isMarked(element)) return [`has no mark while it has the focus: ${nameOf(element)}`, false]
  return ['', false]
}
