"""Rows of a CSV file of flowers."""

HEADER = "sepal_length,sepal_width,petal_length,petal_width,species\n"
SETOSA = "5.1,3.5,1.4,0.2,setosa\n"
VIRGINICA = "6.3,3.3,6.0,2.5,virginica\n"
