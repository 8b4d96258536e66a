inert: only its size counts here
