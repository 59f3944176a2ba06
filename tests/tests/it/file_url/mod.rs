mod honest;
mod hostile;
mod policy;
mod properties;
