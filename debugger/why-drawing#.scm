(##namespace ("debugger/why-drawing#" write-why-svg))
