// The default theme with the reader's own fonts, so that a page loads nothing from elsewhere.
import theme from 'vitepress/theme-without-fonts'
import './style.css'

export default theme
