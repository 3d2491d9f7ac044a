declare module 'express51' {
  import express from 'express'
  export default express
}
