-- SPDX-License-Identifier: GPL-2.0-only
-- The parts of the book.  A chapter belongs to the part that its first digit names.
return {
  [0] = { title = 'Before you start' },
  { letter = 'P', title = 'Preparation',
    question = 'What is a hypervisor, what does this processor offer, and what is the smallest whole that runs?' },
  { letter = 'G', title = 'Guest',
    question = 'What does a kernel need that is not alone on the machine?' },
  { letter = 'D', title = 'Drivers',
    question = 'How does a Guest reach a disk that it must not touch?' },
  { letter = 'L', title = 'Launcher',
    question = 'What is a machine, seen from a process?' },
  { letter = 'H', title = 'Host',
    question = 'What does the kernel do for that process?' },
  { letter = 'S', title = 'Switcher',
    question = 'What happens between two instructions of two worlds?' },
  { letter = 'M', title = 'Mastery',
    question = 'How is it made fast, safe and many, and how do you know?' },
  [9] = { letter = 'A', title = 'Appendices', label = 'Appendix',
    question = 'How does this book read itself?' },
}
